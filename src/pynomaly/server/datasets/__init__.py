"""Datasets: tables that users upload, kept as Parquet with a profile of each column."""
