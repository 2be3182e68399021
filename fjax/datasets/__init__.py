"""Small datasets: each module has a function `load_data()`, which returns NumPy arrays.

    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()

`digits` ships with the package. The others read a file from the folder that the environment
variable FJAX_DATA names, or from the cache folder (FJAX_CACHE, by default
`~/.cache/fjax/datasets`). If neither holds it, it is downloaded into the cache, except
`california_housing` and `movie_reviews`.
"""

from fjax.datasets import boston_housing as boston_housing
from fjax.datasets import california_housing as california_housing
from fjax.datasets import cifar10 as cifar10
from fjax.datasets import cifar100 as cifar100
from fjax.datasets import digits as digits
from fjax.datasets import fashion_mnist as fashion_mnist
from fjax.datasets import imdb as imdb
from fjax.datasets import mnist as mnist
from fjax.datasets import movie_reviews as movie_reviews
from fjax.datasets import reuters as reuters
