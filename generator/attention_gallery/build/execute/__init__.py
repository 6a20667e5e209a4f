"""Making it: results kept between builds, the staging folder, the swap, and the record of both."""
