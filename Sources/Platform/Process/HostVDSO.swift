import Platform

/// The host's vDSO: the clock without a host call, as vdso(7) describes it.
enum HostVDSO {
    nonisolated(unsafe) private static var range: Range<UInt64> = 0..<0

    /// Whether code at an address is the host's vDSO's: a clock that is not the processor's own
    /// counter makes it run a `syscall` instruction.
    static func contains(_ address: UInt64) -> Bool { range.contains(address) }

    /// Puts in its place what it does on a host whose clock is not the processor's counter: a
    /// function that makes the system call. A negated errno when the host refuses.
    static func replaceBySystemCall() -> Int64 {
        // mov $228,%eax; syscall; ret
        let code: UInt64 = 0xc3_050f_0000_00e4_b8
        let start = ProcessLayout.slowClock
        let answer = ProcessMemory.mapCode(code, at: start)
        guard answer >= 0 else { return answer }
        range = start..<start &+ 4096
        ProcessTime.hostClock = start
        return 0
    }

    /// Looks `__vdso_clock_gettime` up in the image at `base`.
    static func find(at base: UInt64) {
        let programHeaders = base &+ word(base &+ 32)
        let count = UInt64(half(base &+ 56))
        var dynamic: UInt64 = 0
        for index in 0..<count {
            let header = programHeaders &+ 56 &* index
            let (load, dynamicSegment): (UInt32, UInt32) = (1, 2)
            switch UInt32(truncatingIfNeeded: word(header)) {
            case load: range = base..<base &+ (word(header &+ 40) &+ 0xfff) & ~0xfff
            case dynamicSegment: dynamic = base &+ word(header &+ 16)
            default: break
            }
        }
        guard dynamic != 0 else { return }
        lookUp(base, dynamic)
    }

    private static func lookUp(_ base: UInt64, _ dynamic: UInt64) {
        var (strings, symbols, hash): (UInt64, UInt64, UInt64) = (0, 0, 0)
        var entry = dynamic
        while word(entry) != 0 {
            switch word(entry) {
            case 4: hash = base &+ word(entry &+ 8)
            case 5: strings = base &+ word(entry &+ 8)
            case 6: symbols = base &+ word(entry &+ 8)
            default: break
            }
            entry += 16
        }
        guard strings != 0, symbols != 0, hash != 0 else { return }
        // DT_HASH's chain count is the number of symbols.
        let count = word(hash) >> 32
        for index in 0..<count {
            let symbol = symbols &+ 24 &* index
            let name = strings &+ (word(symbol) & 0xffff_ffff)
            guard isName(name, "__vdso_clock_gettime") else { continue }
            ProcessTime.hostClock = base &+ word(symbol &+ 8)
        }
    }

    private static func isName(_ address: UInt64, _ name: StaticString) -> Bool {
        let text = UnsafePointer<UInt8>(bitPattern: UInt(address))!
        for index in 0..<name.utf8CodeUnitCount where text[index] != name.utf8Start[index] {
            return false
        }
        return text[name.utf8CodeUnitCount] == 0
    }

    private static func word(_ address: UInt64) -> UInt64 {
        UnsafeRawPointer(bitPattern: UInt(address))!.loadUnaligned(as: UInt64.self)
    }

    private static func half(_ address: UInt64) -> UInt16 {
        UnsafeRawPointer(bitPattern: UInt(address))!.loadUnaligned(as: UInt16.self)
    }
}
