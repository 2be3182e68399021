"""Files of Keras: `.keras`, `.weights.h5` and `.h5`, read under the same closed rules as ours.

Nothing that such a file names is imported, opened or run. Its classes and functions are those of
fjax, and those of the user by name. Sizes and links are checked before anything is read.
"""
