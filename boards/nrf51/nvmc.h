/*
 * nvmc.h - the nRF51's flash controller, for the bootloader and for applications: pages erased to
 * 0xff, words written once.  The processor stands still while it works.
 */
#ifndef MUE_BOARDS_NRF51_NVMC_H
#define MUE_BOARDS_NRF51_NVMC_H

#include "core/flash.h"

void mue_nvmc_erase(uint32_t addr);
/* `addr` and `len` are multiples of 4; `data` need not be aligned. */
void mue_nvmc_write(uint32_t addr, const void *data, uint32_t len);

/* The boot state's two pages as a port; fills *ret and its ops, which the caller keeps. */
void mue_nvmc_state(struct mue_flash *ret, struct mue_flash_ops *ops);

#endif
