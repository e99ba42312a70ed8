#include "registers.h"
