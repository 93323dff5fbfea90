"""What Python's Prophet makes of the series in src/forecast/prophet/tests.rs.

    python3 -m venv v && v/bin/pip install prophet && v/bin/python tests/data/python_prophet.py

Prints the expectation of the next value and its 95 % limits, of a hundred thousand random futures in place of a
thousand, so that chance moves them by no more than 0.5 % of the width of the band.
"""

import csv
import logging
import math
import pathlib

import numpy
import pandas
from prophet import Prophet

logging.disable(logging.WARNING)
HERE = pathlib.Path(__file__).parent
DAY = 86400


def sales():
    with open(HERE / "sales.csv", newline="") as file:
        rows = list(csv.DictReader(file))[-14 * 288:]
    return [row["sellTime"] for row in rows], [float(row["CA"]) for row in rows], "5min", True


def noise(number):
    return number * 7919 % 101 / 101 - 0.5


def hours():
    count = 8 * 168
    values = [500 + 90 * math.sin(math.tau * at / 24) + 40 * math.sin(math.tau * at / 168) + 0.05 * at + 60 * noise(at)
              for at in range(count)]
    return pandas.date_range("2026-03-02", periods=count, freq="h"), values, "h", True


def days():
    count = 200
    values = [20 + 0.1 * at + (8 if at % 7 in (5, 6) else 0) + 5 * noise(at) for at in range(count)]
    return pandas.date_range("2026-01-05", periods=count, freq="D"), values, "D", False


for name, (times, values, step, daily) in {"sales": sales(), "hours": hours(), "days": days()}.items():
    history = pandas.DataFrame({"ds": pandas.to_datetime(times), "y": values})
    model = Prophet(interval_width=0.95, daily_seasonality=daily, weekly_seasonality=True, uncertainty_samples=100_000)
    numpy.random.seed(1)
    model.fit(history)
    found = model.predict(model.make_future_dataframe(1, freq=step, include_history=False)).iloc[0]
    print(f"{name}: {found.yhat:.4f} {found.yhat_lower:.4f} {found.yhat_upper:.4f}")
