"""`python -m observability`: writes the Grafana dashboards and the service-level rules."""

from observability.made import made_files


def main() -> None:
    """Writes every generated file."""
    for path, text in made_files().items():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
