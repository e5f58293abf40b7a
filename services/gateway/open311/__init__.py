"""Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2/) at the edge: translated into what
tickets offers anybody, and back. No rule of the domain is here.
"""
