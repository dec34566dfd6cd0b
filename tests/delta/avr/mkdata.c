/* Writes old, new and the patch between them as AVR program memory: mkdata OLD NEW >data.h */
#include "delta/delta.h"

#include <stdlib.h>

static struct mue_span read_file(const char *path)
{
	struct mue_span s = { 0 };
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long len;

	if (!f || fseek(f, 0, SEEK_END) != 0 || (len = ftell(f)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(f);
	data = malloc((size_t)len + 1);
	if (!data || fread(data, 1, (size_t)len, f) != (size_t)len)
		exit(1);
	fclose(f);
	s.data = data;
	s.len = (size_t)len;
	return s;
}

static void write_array(const char *name, struct mue_span s)
{
	printf("static const uint8_t %s[] PROGMEM = {", name);
	for (size_t i = 0; i < s.len; i++)
		printf("%s%u,", i % 20 ? "" : "\n", s.data[i]);
	printf("\n};\n");
}

int main(int argc, char **argv)
{
	struct mue_diff_options o = { .isa = MUE_DIFF_AUTO };
	struct mue_diff_result p;
	struct mue_error e = { 0 };
	struct mue_span old, new, patch;

	if (argc != 3)
		return 2;
	old = read_file(argv[1]);
	new = read_file(argv[2]);
	if (mue_diff(old, new, &o, &p, &e) != MUE_OK) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	patch.data = p.patch;
	patch.len = p.len;
	write_array("old_image", old);
	write_array("new_image", new);
	write_array("patch", patch);
	free(p.patch);
	free((void *)(uintptr_t)old.data);
	free((void *)(uintptr_t) new.data);
	return 0;
}
