from records import openapi


def test_values_of_a_selection():
    """Developers of applications need the values and the labels that people see for them."""
    field = {'type': 'selection', 'string': "State", 'selection': [('new', "New"), ('done', "Done")]}
    assert openapi.get_schema(field)['description'] == 'new (New), done (Done)'
    assert openapi.get_schema({**field, 'help': "How far it is."})['description'] == (
        'How far it is.\n\nnew (New), done (Done)'
    )
    assert openapi.describe_field(field)['selection'] == [
        {'value': 'new', 'label': "New"},
        {'value': 'done', 'label': "Done"},
    ]


def test_field_without_help():
    assert 'description' not in openapi.get_schema({'type': 'char', 'string': "Name"})
