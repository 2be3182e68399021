"""Many runs side by side: what they may differ in, and how they run as one program."""

from fjax.population.member import Measurements as Measurements
from fjax.population.member import Member as Member
from fjax.population.population import Population as Population
