/*
 * elf32.h - what the simulated microcontrollers need of an ELF file.
 */
#ifndef MUE_SIM_ELF32_H
#define MUE_SIM_ELF32_H

#include <stdint.h>

/* Copies the loadable bytes that lie below `size` to their load addresses in `memory`.  0 or -1. */
int elf32_load(const char *path, uint8_t *memory, uint32_t size);

/* The value of a symbol, 0 when there is none. */
uint32_t elf32_symbol(const char *path, const char *name);

#endif
