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
 * Say a number of seconds in the words of a language, which the browser knows: "1 day and 12 hours".
 *
 * @param {number} seconds
 * @param {string} locale as the browser names it, such as "hu-HU"
 * @returns {string}
 */
export function sayDuration(seconds, locale) {
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

/** A number of seconds to write, with the same in words beside it. */
export class SecondsField extends IntegerField {
    static template = "orestapi.SecondsField";
    static props = {
        ...IntegerField.props,
        zeroIsNever: { type: Boolean, optional: true },
    };

    get words() {
        if (this.value > 0) {
            return `= ${sayDuration(this.value, user.lang)}`;
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
