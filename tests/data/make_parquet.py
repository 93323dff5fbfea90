#!/usr/bin/env python3
"""Makes sales.parquet of the last hundred rows of sales.csv, as a common writer of Parquet writes them.

    pip install pyarrow && python3 tests/data/make_parquet.py

Timestamps without a zone and decimals, as a dictionary, packed by Snappy, in two groups of rows.
"""
import csv
import datetime
import decimal
import pathlib

import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent

with open(HERE / "sales.csv", newline="") as file:
    rows = list(csv.DictReader(file))[-100:]
times = [datetime.datetime.fromisoformat(row["sellTime"]) for row in rows]
values = [decimal.Decimal(row["CA"]) if row["CA"] else None for row in rows]
table = pyarrow.table({
    "sellTime": pyarrow.array(times, pyarrow.timestamp("us")),
    "CA": pyarrow.array(values, pyarrow.decimal128(12, 2)),
})
pyarrow.parquet.write_table(table, HERE / "sales.parquet", row_group_size=60)
