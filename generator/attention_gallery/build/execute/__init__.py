"""Making it: results cached between builds, the staging folder, the swap, and the record of both."""
