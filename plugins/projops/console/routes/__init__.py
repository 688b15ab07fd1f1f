"""The pages, a module for each: reads the state, renders a template, carries an action out."""

from starlette.convertors import IntegerConvertor, register_url_convertor


class _Number(IntegerConvertor):
    """A number that Python reads: thousands of digits it refuses, before anybody is asked who they are."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _Number())  # before any page names it in its path
