/* nRF51822, 256 kB flash in pages of 1 kB, 16 kB RAM: direct execution from both slots. */
#ifndef MUE_BOARDS_NRF51_LAYOUT_H
#define MUE_BOARDS_NRF51_LAYOUT_H

#include <stdint.h>

typedef uint32_t board_off_t;
#define BOARD_SLOT_BASE(slot) ((slot) ? 0x21000u : 0x04000u)
#define BOARD_SLOT_SIZE       0x1d000u
#define BOARD_FOOTER          0x1c400u /* the last three pages */
#define BOARD_PAGE            1024u
#define BOARD_SLOT_ADDRESSED  1
#ifndef BOARD_POLICY
#define BOARD_POLICY 0u
#endif

#define BOARD_STATE    0x3e000u /* two pages */
#define BOARD_IDENTITY 0x3fc00u /* a page of its own, programmed at the factory */

/* The word in RAM through which the bootloader's vectors find the running image's: a Cortex-M0 has
 * its vectors at 0, and nowhere else. */
#define BOARD_VECTORS 0x20003ffcu

#endif
