import CLibELF

/// Names for addresses, of functions and of what has no type, by address.
///
/// Addresses are those of the file: subtract `LoadPlan.bias` from one seen at run time.
public struct SymbolTable: Sendable {
    public struct Symbol: Sendable {
        public let address: UInt64
        /// Zero for most symbols of assembly.
        public let size: UInt64
        public let name: String
        /// Code with a type that says so, and not a mere label.
        public let isFunction: Bool
    }

    /// Ascending; one symbol an address.
    public let symbols: [Symbol]

    public static var empty: SymbolTable { SymbolTable(symbols: []) }

    public var isEmpty: Bool { symbols.isEmpty }

    private init(symbols: [Symbol]) { self.symbols = symbols }

    /// Reads `.symtab`, or `.dynsym` where that has been stripped.
    init(_ elf: LibELF) {
        let tables = [UInt32(SHT_SYMTAB), UInt32(SHT_DYNSYM)]
        let found = tables.lazy.compactMap { type in elf.sections.first { $0.type == type } }.first
        guard let section = found, let data = elf.data(of: section) else {
            self = .empty
            return
        }
        self.init(symbols: Self.read(elf, section, UnsafeMutablePointer(mutating: data)))
    }

    /// Those of an ELF file that is no program, as the kernel image; none where it cannot be read.
    public init(ofFile path: String) {
        guard let file = try? HostFile(path: path), let elf = LibELF(file) else {
            self = .empty
            return
        }
        self.init(elf)
    }

    private static func read(
        _ elf: LibELF,
        _ section: LibELF.Section,
        _ data: UnsafeMutablePointer<Elf_Data>
    ) -> [Symbol] {
        let entrySize = 24
        var candidates: [(symbol: GElf_Sym, rank: UInt8)] = []
        for index in 0..<Int32(clamping: data.pointee.d_size / entrySize) {
            var symbol = GElf_Sym()
            guard gelf_getsym(data, index, &symbol) != nil else { break }
            if let rank = rank(symbol) { candidates.append((symbol, rank)) }
        }
        candidates.sort { ($0.symbol.st_value, $0.rank) < ($1.symbol.st_value, $1.rank) }
        var symbols: [Symbol] = []
        for (symbol, _) in candidates where symbols.last?.address != symbol.st_value {
            guard let name = elf_strptr(elf.handle, section.link, Int(symbol.st_name)) else {
                continue
            }
            let text = String(cString: name)
            if text.isEmpty { continue }
            symbols.append(
                Symbol(
                    address: symbol.st_value,
                    size: symbol.st_size,
                    name: text,
                    isFunction: symbol.st_info & 0xf != UInt8(STT_NOTYPE)
                )
            )
        }
        return symbols
    }

    /// How good a name for its address a symbol is, best first; `nil` when it is none.
    private static func rank(_ symbol: GElf_Sym) -> UInt8? {
        let type = symbol.st_info & 0xf
        let isFunction = type == UInt8(STT_FUNC) || type == UInt8(STT_GNU_IFUNC)
        guard isFunction || type == UInt8(STT_NOTYPE) else { return nil }
        guard symbol.st_shndx != UInt16(SHN_UNDEF), symbol.st_shndx < UInt16(SHN_LORESERVE) else {
            return nil
        }
        // Functions first; then exported names, which are the ones in manuals; then weak ones.
        let binding: UInt8 =
            switch symbol.st_info >> 4 {
            case UInt8(STB_GLOBAL): 0
            case UInt8(STB_WEAK): 1
            default: 2
            }
        return binding + (isFunction ? 0 : 8) + (symbol.st_size == 0 ? 4 : 0)
    }

    /// The symbol that an address belongs to: the one that contains it, or else the nearest below
    /// when that one has no size.
    public func symbol(containing address: UInt64) -> (symbol: Symbol, offset: UInt64)? {
        var low = 0
        var high = symbols.count
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let symbol = symbols[low - 1]
        let offset = address - symbol.address
        guard symbol.size == 0 || offset < symbol.size else { return nil }
        return (symbol, offset)
    }

    /// Addresses of functions in a range, ascending.
    func functions(from start: UInt64, to end: UInt64) -> [UInt64] {
        symbols.lazy.filter { $0.isFunction && $0.address >= start && $0.address < end }
            .map(\.address)
    }

    /// `name+0x12`, as traces print it.
    public func describe(_ address: UInt64) -> String? {
        guard let (symbol, offset) = symbol(containing: address) else { return nil }
        return offset == 0 ? symbol.name : "\(symbol.name)+\(ProgramError.hex(offset))"
    }
}
