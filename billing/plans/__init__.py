"""Room of the plan of collections: what a school means to collect, its papers, and the authority's decision."""
