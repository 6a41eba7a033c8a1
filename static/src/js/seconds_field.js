import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { registry } from "@web/core/registry";
import { IntegerField, integerField } from "@web/views/fields/integer/integer_field";

const UNITS = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
];

/**
 * Return a number of seconds in the words of a language, which the browser provides: "1 day and 12 hours".
 *
 * @param {number} seconds
 * @param {string} locale a locale of the browser, such as "hu-HU"
 * @returns {string}
 */
export function formatDuration(seconds, locale) {
    const parts = [];
    for (const [unit, length] of UNITS) {
        const count = Math.floor(seconds / length);
        if (count) {
            parts.push(new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count));
            seconds -= count * length;
        }
    }
    return new Intl.ListFormat(locale, { type: "unit" }).format(parts);
}

/** An input for a number of seconds, with the duration in words beside it. */
export class SecondsField extends IntegerField {
    static template = "orestapi.SecondsField";
    static props = {
        ...IntegerField.props,
        zeroIsNever: { type: Boolean, optional: true },
    };

    get words() {
        if (this.value > 0) {
            return `= ${formatDuration(this.value, user.lang)}`;
        }
        return this.props.zeroIsNever && this.value === 0 ? _t("= never") : "";
    }
}

registry.category("fields").add("orestapi_seconds", {
    ...integerField,
    component: SecondsField,
    displayName: _t("Seconds"),
    extractProps: (fieldInfo) => ({
        ...integerField.extractProps(fieldInfo),
        zeroIsNever: Boolean(fieldInfo.options.zero_is_never),
    }),
});
