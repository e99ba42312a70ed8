import Platform

/// The address map of a program: docs of the project's design, section 3.
///
/// The program's part is the low area and the high area; between them lie the kernel image and
/// stubs for low code. All numbers are bytes.
public enum Layout {
    /// vm.mmap_min_addr: nothing is mapped below, so that null pointers fault.
    public static let lowest: UInt64 = 0x1_0000
    /// Non-PIE programs, their brk heap, and above that MAP_32BIT.
    public static let low: Range<UInt64> = 0x40_0000..<0x7000_0000
    /// The kernel image, then stubs for low code.
    public static let kernel: Range<UInt64> = 0x7000_0000..<0x8000_0000
    /// Where stubs for low code may lie.
    public static let lowStubs: Range<UInt64> = 0x7800_0000..<0x8000_0000

    /// Static-PIE programs, interpreters, the mmap area and the stacks.
    public static var high: Range<UInt64> { boot.pointee.user_start..<boot.pointee.user_end }

    /// Room kept free below the stack whatever its limit, as Linux keeps 128 MiB, and the most.
    static let smallestStackRoom: UInt64 = 128 << 20
    static let largestStackRoom: UInt64 = 1 << 40
    /// Random bytes of the stack's top and of the mmap area's top: 16 GiB and 1 TiB, like Linux's
    /// 22 and 28 bits of pages.
    static let stackRandomness: UInt64 = (16 << 30) - 1
    static let mapRandomness: UInt64 = (1 << 40) - 1
    /// vm.stack_guard_gap: what stays free below a stack that grows.
    static let stackGuard: UInt64 = 1 << 20
    /// vm.max_map_count
    static let largestMappingCount = 65_530
    /// What a new main stack has mapped, and how far it grows at least at each fault.
    static let stackStep: UInt64 = 128 << 10

    static func isProgram(_ start: UInt64, _ end: UInt64) -> Bool {
        end <= low.upperBound || (start >= high.lowerBound && end <= high.upperBound)
    }

    /// Whether the platform's areas leave room for what lies between them.
    static var isSound: Bool {
        high.lowerBound >= kernel.upperBound
            && high.upperBound - high.lowerBound
                > largestStackRoom + mapRandomness + stackRandomness
    }
}
