"""Models of the files of Keras, and the reverse; see also `fjax/storage/keras_files`."""
