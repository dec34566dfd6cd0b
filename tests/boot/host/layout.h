/* A board in memory, for tests of the portable bootloader on the host. */
#ifndef MUE_TESTS_BOOT_HOST_LAYOUT_H
#define MUE_TESTS_BOOT_HOST_LAYOUT_H

#include <stdint.h>

typedef uint32_t board_off_t;
#define BOARD_SLOT_SIZE      0x10000u
#define BOARD_FOOTER         0xe000u
#define BOARD_PAGE           256u
#define BOARD_POLICY         0u
#define BOARD_SLOT_ADDRESSED 1

#endif
