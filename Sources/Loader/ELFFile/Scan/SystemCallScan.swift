import LinuxABI

/// The system calls that a program's machine code holds, found without running it.
///
/// It is a scan, not a proof: code that is made at run time, and numbers that come from memory,
/// cannot be seen. Sites whose numbers are not all known say so.
public struct SystemCallScan: Sendable {
    /// One `syscall` instruction.
    public struct Site: Sendable {
        /// As the file has it: without `LoadPlan.bias`.
        public let address: UInt64
        /// `name+offset`, unless stripped.
        public let symbol: String?
        /// Ascending; what was found.
        public let numbers: [Int]
        /// Nothing but `numbers` can arrive, as far as the search could see.
        public let isComplete: Bool
    }

    /// By address.
    public let sites: [Site]
    /// `int $0x80` and `sysenter`, which end the program with SIGSEGV here; by address.
    public let legacySites: [Site]

    /// Every number that was found, ascending.
    public var numbers: [Int] { Set(sites.flatMap(\.numbers)).sorted() }

    /// Sites of which not every number is known.
    public var unresolved: [Site] { sites.filter { !$0.isComplete } }
}

extension ExecutableImage {
    /// Finds the system calls in the program's code; takes about a second for each 30 MB of it.
    public func scanSystemCalls() -> SystemCallScan {
        let symbols = self.symbols
        var sites: [SystemCallScan.Site] = []
        var legacy: [SystemCallScan.Site] = []
        for region in codeRegions() {
            for offset in region.systemCalls {
                let search = NumberSearch(region, symbols, site: offset)
                // The kernel looks at the low 32 bits of %rax.
                let numbers = search.numbers.map { Int(Int32(truncatingIfNeeded: $0)) }
                sites.append(
                    site(region, offset, Set(numbers).sorted(), isComplete: search.isComplete)
                )
            }
            for offset in region.legacyCalls {
                legacy.append(site(region, offset, [], isComplete: false))
            }
        }
        return SystemCallScan(
            sites: sites.sorted { $0.address < $1.address },
            legacySites: legacy.sorted { $0.address < $1.address }
        )
    }

    private func site(
        _ region: CodeRegion,
        _ offset: Int,
        _ numbers: [Int],
        isComplete: Bool
    ) -> SystemCallScan.Site {
        let address = region.address &+ UInt64(offset)
        return SystemCallScan.Site(
            address: address,
            symbol: symbols.describe(address),
            numbers: numbers,
            isComplete: isComplete
        )
    }

    /// Sections with code; executable segments where there are no sections.
    private func codeRegions() -> [CodeRegion] {
        let sections = elf?.sections.filter(\.isCode) ?? []
        if !sections.isEmpty {
            return sections.map { region($0.address, $0.offset, $0.size) }
        }
        let segments = programHeaders.filter { header in
            header.type == ELF.SegmentType.load && header.flags & ELF.SegmentFlags.execute != 0
        }
        return segments.map { region($0.virtualAddress, $0.offset, $0.fileSize) }
    }

    private func region(_ address: UInt64, _ offset: UInt64, _ size: UInt64) -> CodeRegion {
        CodeRegion(
            address: address,
            bytes: file.bytes(at: offset, count: size),
            symbols: symbols
        )
    }
}
