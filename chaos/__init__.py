"""Breaks everything that can break, for minutes, and keeps the account of every job and every byte."""
