"""Attention layers: weighted averages of values, by how well keys match queries."""

from fjax.layers.attention.attention import AdditiveAttention as AdditiveAttention
from fjax.layers.attention.attention import Attention as Attention
from fjax.layers.attention.grouped_query import GroupQueryAttention as GroupQueryAttention
from fjax.layers.attention.multi_head import MultiHeadAttention as MultiHeadAttention
