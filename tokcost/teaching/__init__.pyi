"""A course from the notebooks: exercises that answer back, editions for students and teachers, slides, and curves to explore."""

from .answers import progress as progress
from .answers import require_right as require_right
from .answers import score_sheet as score_sheet
from .exercise_table import Exercise as Exercise
from .exercise_table import exercises as exercises
from .explorer import explore as explore
from .guesses import predict as predict
from .guesses import worked as worked
