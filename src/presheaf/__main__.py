"""`python -m presheaf` is the command line."""

from presheaf.cli.main import main

raise SystemExit(main())
