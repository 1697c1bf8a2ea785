"""Takes noise away with OpenCV's non-local means, to compare: nlm.py FOLDER STRENGTH...

For bench-restore: of every noisy-NAME.png in the folder it makes a STRENGTH-noisy-NAME.png. Needs OpenCV, from
the package opencv-python-headless; prints the seconds that it took.
"""

import pathlib
import sys
import time

import cv2

spent = 0.0
for path in sorted(pathlib.Path(sys.argv[1]).glob("noisy-*.png")):
    picture = cv2.imread(str(path))
    for strength in sys.argv[2:]:
        began = time.perf_counter()
        made = cv2.fastNlMeansDenoisingColored(picture, None, float(strength), float(strength), 7, 21)
        spent += time.perf_counter() - began
        cv2.imwrite(str(path.with_name(f"{strength}-{path.name}")), made)
print(spent)
