"""Texts in other languages than English: error messages and the progress bar.

The code has the English texts. A catalogue in gettext's format,
`locale/<language>/LC_MESSAGES/fjax.po`, has their translations: of messages, of the parts that
messages are made of, and of the words of the progress bar. `fjax.config.set_language` chooses the
language.
"""

from fjax.languages.current import language as language
from fjax.languages.current import phrase as phrase
from fjax.languages.current import set_language as set_language
from fjax.languages.current import use_environment as use_environment
