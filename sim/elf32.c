#include "sim/elf32.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_all(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *data = NULL;
	long n;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) > (long)sizeof(Elf32_Ehdr)) {
		rewind(f);
		data = malloc((size_t)n);
		if (data && fread(data, 1, (size_t)n, f) != (size_t)n) {
			free(data);
			data = NULL;
		}
		*ret_len = (size_t)n;
	}
	fclose(f);
	if (data && memcmp(data, ELFMAG, SELFMAG) != 0) {
		free(data);
		data = NULL;
	}
	return data;
}

int elf32_load(const char *path, uint8_t *memory, uint32_t size)
{
	size_t len;
	uint8_t *file = read_all(path, &len);
	Elf32_Ehdr eh;
	Elf32_Phdr ph;

	if (!file)
		return -1;
	memcpy(&eh, file, sizeof(eh));
	for (int i = 0; i < eh.e_phnum; i++) {
		memcpy(&ph, file + eh.e_phoff + (size_t)i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_LOAD && ph.p_filesz && ph.p_paddr + ph.p_filesz <= size &&
		    ph.p_offset + ph.p_filesz <= len)
			memcpy(memory + ph.p_paddr, file + ph.p_offset, ph.p_filesz);
	}
	free(file);
	return 0;
}

uint32_t elf32_symbol(const char *path, const char *name)
{
	size_t len;
	uint8_t *file = read_all(path, &len);
	uint32_t found = 0;
	Elf32_Shdr sh, str;
	Elf32_Ehdr eh;
	Elf32_Sym sym;

	if (!file)
		return 0;
	memcpy(&eh, file, sizeof(eh));
	for (int i = 0; i < eh.e_shnum; i++) {
		memcpy(&sh, file + eh.e_shoff + (size_t)i * sizeof(sh), sizeof(sh));
		if (sh.sh_type != SHT_SYMTAB)
			continue;
		memcpy(&str, file + eh.e_shoff + sh.sh_link * sizeof(str), sizeof(str));
		for (uint32_t s = 0; s < sh.sh_size / sizeof(sym); s++) {
			memcpy(&sym, file + sh.sh_offset + s * sizeof(sym), sizeof(sym));
			if (!strcmp((char *)file + str.sh_offset + sym.st_name, name))
				found = sym.st_value;
		}
	}
	free(file);
	return found;
}
