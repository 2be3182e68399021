"""Small datasets: each module has `load_data()`, which returns arrays of NumPy.

    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()

`digits` ships with the package. The file of another one is looked for in the folder that the
environment variable FJAX_DATA names, then in the cache folder (FJAX_CACHE, else
`~/.cache/fjax/datasets`); `mnist` and `fashion_mnist` are downloaded into the cache where neither
has it.
"""

from fjax.datasets import california_housing as california_housing
from fjax.datasets import digits as digits
from fjax.datasets import fashion_mnist as fashion_mnist
from fjax.datasets import mnist as mnist
from fjax.datasets import movie_reviews as movie_reviews
