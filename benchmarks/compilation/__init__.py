"""How long deep networks take to compile: fjax beside Keras, `repeat` beside `serial`."""
