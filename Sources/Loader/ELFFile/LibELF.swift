import CLibELF

/// An ELF file opened with libelf, for what only section headers tell.
final class LibELF {
    struct Section {
        let index: Int
        let name: String
        let type: UInt32
        let flags: UInt64
        let address: UInt64
        let offset: UInt64
        let size: UInt64
        let link: Int

        /// SHF_ALLOC and SHF_EXECINSTR, with bytes in the file.
        var isCode: Bool { flags & 6 == 6 && type == UInt32(SHT_PROGBITS) }
    }

    /// libelf reads through this file's descriptor as long as the handle lives.
    let file: HostFile
    let handle: OpaquePointer
    let sections: [Section]

    /// `nil` when libelf does not take the file for ELF. A damaged section table gives none.
    init?(_ file: HostFile) {
        // Without this call libelf refuses all others.
        _ = elf_version(UInt32(EV_CURRENT))
        // Not mapped: a file that shrinks meanwhile would end us with SIGBUS.
        guard let handle = elf_begin(file.descriptor, ELF_C_READ, nil) else { return nil }
        guard elf_kind(handle) == ELF_K_ELF else {
            elf_end(handle)
            return nil
        }
        self.file = file
        self.handle = handle
        sections = Self.readSections(handle)
    }

    deinit { elf_end(handle) }

    private static func readSections(_ handle: OpaquePointer) -> [Section] {
        var names = 0
        guard elf_getshdrstrndx(handle, &names) == 0 else { return [] }
        var result: [Section] = []
        var next = elf_nextscn(handle, nil)
        while let section = next {
            next = elf_nextscn(handle, section)
            var header = GElf_Shdr()
            guard gelf_getshdr(section, &header) != nil else { continue }
            let name = elf_strptr(handle, names, Int(header.sh_name))
            result.append(
                Section(
                    index: elf_ndxscn(section),
                    name: name.map { String(cString: $0) } ?? "",
                    type: header.sh_type,
                    flags: header.sh_flags,
                    address: header.sh_addr,
                    offset: header.sh_offset,
                    size: header.sh_size,
                    link: Int(header.sh_link)
                )
            )
        }
        return result
    }

    /// PT_LOAD headers as libelf reads them, to hold the loading core against.
    var loadHeaders: [GElf_Phdr] {
        var count = 0
        guard elf_getphdrnum(handle, &count) == 0 else { return [] }
        var result: [GElf_Phdr] = []
        for index in 0..<count {
            var header = GElf_Phdr()
            guard gelf_getphdr(handle, Int32(index), &header) != nil else { return result }
            if header.p_type == UInt32(PT_LOAD) { result.append(header) }
        }
        return result
    }

    /// A section's data as libelf converts it; alive as long as the handle.
    func data(of section: Section) -> UnsafePointer<Elf_Data>? {
        guard let found = elf_getscn(handle, section.index) else { return nil }
        guard let data = elf_getdata(found, nil) else { return nil }
        return UnsafePointer(data)
    }
}
