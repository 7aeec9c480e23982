// CLAWWS_API marks what the executables may call across the border of the shared library.
// Everything else is hidden. A static build ignores it.
#pragma once

#if defined(__GNUC__)
#define CLAWWS_API __attribute__((visibility("default")))
#else
#define CLAWWS_API
#endif
