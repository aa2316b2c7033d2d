"""`pwless people` and `pwless revoke`: find people, change and help them, sign them out."""
