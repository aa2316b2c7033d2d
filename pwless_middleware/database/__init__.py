"""What must last: one database behind one URL, and a repository for each kind of record in it.

`base` is the contract of a database, `statement` how SQL is written, `migrations` the tables in the
order in which they came. Below `stores`, which can keep what is hot and short-lived here as well.
"""
