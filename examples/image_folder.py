"""Train a convolutional network on a folder of pictures, which threads read during the training.

The handwritten digits that ship with the package are saved as pictures first, in a subfolder for
each class. The example needs Pillow.
"""

import argparse
from pathlib import Path

import numpy as np

import fjax as keras
from fjax import layers


def main(epochs: int = 10, folder: str = "digit_pictures") -> float:
    """Save the pictures, train on them, and return the accuracy on the validation set."""
    keras.utils.set_random_seed(0)
    save_pictures(Path(folder))
    training, validation = keras.utils.image_dataset_from_directory(
        folder, color_mode="grayscale", image_size=(16, 16), validation_split=0.2, subset="both",
        seed=0,
    )  # fmt: skip
    model = keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(len(training.class_names), activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(training, validation_data=validation, epochs=epochs, verbose=2)

    picture = keras.utils.load_img(
        validation.file_paths[0], color_mode="grayscale", target_size=(16, 16)
    )
    batch = keras.utils.img_to_array(picture)[None]
    name = training.class_names[int(np.argmax(model.predict(batch, verbose=0)))]
    print(f"{validation.file_paths[0]} is predicted to be a {name}")
    return float(model.evaluate(validation, verbose=0)[1])


def save_pictures(folder: Path) -> None:
    """Save each digit as a picture."""
    (x, y), _ = keras.datasets.digits.load_data()
    for number, (image, digit) in enumerate(zip(x, y, strict=True)):
        path = folder / str(digit) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(path, image[:, :, None] * 15.0, scale=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--folder", default="digit_pictures")
    main(**vars(parser.parse_args()))
