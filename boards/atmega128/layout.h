/* ATmega128: direct execution from both slots; boot section of 8 kB (BOOTSZ 00). */
#ifndef MUE_BOARDS_ATMEGA128_LAYOUT_H
#define MUE_BOARDS_ATMEGA128_LAYOUT_H

#include <stdint.h>

typedef uint16_t board_off_t;
#define BOARD_SLOT_B         0xf000u /* its address; slot A stands at 0 */
#define BOARD_SLOT_SIZE      0xf000u
#define BOARD_FOOTER         0xe700u /* nine pages: two blocks of LMS H20 or one and ES256 */
#define BOARD_PAGE           256u
#define BOARD_SLOT_ADDRESSED 1
#ifndef BOARD_POLICY
#define BOARD_POLICY 0
#endif

/* EEPROM: address 0 is not used (a cut write may land there on old silicon). */
#define BOARD_STATE       16
#define BOARD_STATE_BLOCK 256

/* Key and ids of the product, written at the factory: the last bytes of the boot section. */
#define BOARD_IDENTITY 0x1ffacul

#define BOARD_BAUD 250000ul

#endif
