#include "facts.h"

int main(void) {
    char name[5000], path[6000];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    outcome("255 bytes", mkdir(name, 0755));
    name[255] = 'n', name[256] = 0;
    outcome("256 bytes", mkdir(name, 0755));
    outcome("open it", open(name, O_RDONLY));
    outcome("link to it", symlink("x", name));
    path[0] = 0;
    for (int each = 0; each < 2047; each++) strcat(path, "./");
    outcome("4094 bytes", access(path, F_OK));
    strcat(path, "./");
    outcome("4096 bytes", access(path, F_OK));
    memset(name, 'n', 4095), name[4095] = 0;
    outcome("a target of 4095", symlink(name, "long"));
    name[4095] = 'n', name[4096] = 0;
    outcome("a target of 4096", symlink(name, "longer"));
    outcome("odd bytes", mkdir("\001\xff \n*", 0755));
    outcome("and back", rmdir("\001\xff \n*"));
    int depth = 0;
    while (depth < 300 && mkdir("d", 0755) == 0 && chdir("d") == 0) depth++;
    fact("depth", depth);
    while (depth-- > 0 && chdir("..") == 0) rmdir("d");
    fact("back", depth);
}
