/*
 * mcu_node.h - a simulated microcontroller: two slots, an EEPROM, a loader that verifies what it
 * starts, and in it the firmware's update client (mcu/).
 *
 * All flash operations of all its regions count on one clock, so that power can be cut at any of
 * them; what flash_sim.h tears is torn.  The loader is the loop that core/bootstate.h describes.
 */
#ifndef MUE_SIM_MCU_NODE_H
#define MUE_SIM_MCU_NODE_H

#include "mcu/mcu.h"
#include "sim/flash_sim.h"

#define MCU_NODE_IMAGE 8192 /* bytes before the footer, at most */
#define MCU_NODE_SLOT  (MCU_NODE_IMAGE + 4096)
#define MCU_NODE_CELLS 2

enum mcu_node_region { MCU_SLOT_A, MCU_SLOT_B, MCU_EEPROM_STATE, MCU_EEPROM_STAGE, MCU_REGIONS };

struct mcu_geometry {
	const char *name;
	uint32_t erase_size;
	uint16_t write_size;
	uint8_t grain_log2;
	uint32_t eeprom_erase; /* of state, stage and marks */
	uint16_t eeprom_write;
};

/* One of the node's regions, counted. */
struct mcu_port {
	struct mue_flash flash; /* handed to the client */
	struct mue_flash_sim sim;
	struct mcu_node *node;
};

struct mcu_node {
	struct mcu_port port[MCU_REGIONS];
	uint8_t slot[2][MCU_NODE_SLOT];
	uint8_t state[8192], stage[16384];
	const struct mcu_geometry *geometry;

	/* Power. */
	uint32_t ops, cut_at; /* as in flash_sim.h, over all regions */
	enum mue_tear tear;
	jmp_buf on_cut;

	/* What the world is like. */
	const struct mue_verifier *verifier;
	uint8_t vendor[16], class_id[16];
	bool addressed, busy;
	uint8_t policy, battery;
	uint16_t minute;
	int health;        /* what the self test says */
	uint32_t sick_seq; /* an image of this sequence fails its self test; 0: none */

	/* The client, gone with every reset. */
	struct mue_mcu_device device;
	struct mue_mcu client;
	uint8_t bitmap[64];
	struct mue_store_cell cells[MCU_NODE_CELLS];
	bool recovery;  /* the loader found nothing to start */
	uint32_t boots; /* starts of a firmware */
	struct mue_boot_choice choice;
};

/* Blank: nothing in the slots. */
void mcu_node_init(struct mcu_node *n, const struct mcu_geometry *g, const struct mue_verifier *v,
		   const uint8_t vendor[16], const uint8_t class_id[16]);

/* Puts an image with its envelope into a slot, as the factory does; not counted. */
void mcu_node_flash(struct mcu_node *n, uint8_t slot, const uint8_t *image, uint32_t size,
		    const uint8_t *envelope, uint16_t envelope_len);

/* Power-on with a cut at operation `cut_at` (0: none): set n->on_cut by setjmp before. */
void mcu_node_power(struct mcu_node *n, uint32_t cut_at, enum mue_tear tear);

/* The loader, then mue_mcu_init.  A verdict of the latter. */
int mcu_node_boot(struct mcu_node *n);

/* Would the loader start what is in this slot, given that floor? */
int mcu_node_verify(struct mcu_node *n, uint8_t slot, uint32_t floor, uint32_t *ret_sequence);

#endif
