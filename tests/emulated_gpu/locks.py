"""The one lock of the emulated GPU: its work is done by whichever host thread waits for it."""

import threading

lock = threading.RLock()
