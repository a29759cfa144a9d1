"""Data: tables read, columns recognised, rows encoded and split."""
