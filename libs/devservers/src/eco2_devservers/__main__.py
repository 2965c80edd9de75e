"""Print the Debian packages that the tests need and this machine lacks, one a line."""

from eco2_devservers.programs import missing_programs

for missing in missing_programs():
    print(missing.debian_package)
