"""The judge of rewrites: the same program ends with the same bits as before."""
