"""`python -m tests.browser`: says what the tests in the browser lack on this machine; 1 if anything."""

import sys

from tests.browser.chromium import missing

lacking = [f"{each}\n" for each in missing()]
sys.stderr.writelines(lacking)
sys.exit(1 if lacking else 0)
