#!/usr/bin/env python3
"""Makes sales.csv: 28 days of a shop's sales in 5-minute buckets, and one bucket too good to be true.

    python3 tests/data/make_sales.py > tests/data/sales.csv

A weekday rises at seven, dips at lunch and peaks in the early evening; Saturdays are the
busiest. The scatter grows with the level and lingers. Three promotions are outliers, and a till was
offline for half an hour the evening before the last day.
"""
import math
import random
from datetime import datetime, timedelta

STEP = timedelta(minutes=5)
END = datetime(2026, 11, 22, 14, 5)
PROMOTIONS = {END - timedelta(hours=28, minutes=40): 2950.0, END - timedelta(days=9, hours=4): 3120.0, END - timedelta(days=17, hours=2): 2890.0}
OFFLINE = (datetime(2026, 11, 21, 20, 0), datetime(2026, 11, 21, 20, 30))


def level(time):
    hour = time.hour + time.minute / 60
    bell = lambda centre, width: math.exp(-(((hour - centre + 12) % 24 - 12) / width) ** 2 / 2)
    day = 210 + 620 * bell(11, 2.2) + 340 * bell(15, 2.0) + 930 * bell(18.6, 1.9)
    return day * [0.97, 0.95, 0.98, 1.0, 1.08, 1.15, 1.02][time.weekday()]


def main():
    random.seed(20261122)
    print("sellTime,CA")
    time, drift = END - timedelta(days=28), 0.0
    while time <= END:
        drift = 0.6 * drift + random.gauss(0, 0.028)
        value = level(time) * math.exp(drift + random.gauss(0, 0.03))
        value = PROMOTIONS.get(time, value)
        if time == END:
            value = 1843.20
        if not OFFLINE[0] <= time < OFFLINE[1]:
            print(f"{time:%Y-%m-%d %H:%M:%S},{value:.2f}")
        time += STEP


main()
