"""Products that are rounded before anything is added to them, on any device.

A compiler of device code joins a product and a sum into one operation, which is more exact, and has other bits than the
CPU's. Where the last bit decides, among ties or beside another library, functions that both devices compile take their
products here; on the CPU their workers are compiled without such licence.
"""

from numba.extending import register_jitable


@register_jitable(forceinline=True)
def times(a, b):
    """The product of two floats of one type; cuda_numba.py has that of device code."""
    return a * b
