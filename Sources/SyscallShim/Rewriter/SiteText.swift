/// The text around one caught `syscall`, as it was before anything was patched.
public struct SiteText {
    public let bytes: UnsafeRawBufferPointer
    /// Where the `syscall` is in `bytes`.
    public let site: Int
    /// Address of the first byte of `bytes`.
    public let address: UInt64
    /// An offset at or before the site of which it is certain that an instruction begins there, and
    /// that only code lies from there to the site (the start of a function, say).
    public let knownBoundary: Int?

    /// `nil` unless the two bytes at `site` are a `syscall` instruction.
    public init?(
        bytes: UnsafeRawBufferPointer,
        site: Int,
        address: UInt64,
        knownBoundary: Int? = nil
    ) {
        guard site >= 0, site <= bytes.count - 2, bytes[site] == 0x0f, bytes[site + 1] == 0x05
        else {
            return nil
        }
        if let knownBoundary { guard knownBoundary >= 0, knownBoundary <= site else { return nil } }
        self.bytes = bytes
        self.site = site
        self.address = address
        self.knownBoundary = knownBoundary
    }

    func address(of offset: Int) -> UInt64 { address &+ UInt64(bitPattern: Int64(offset)) }

    func instruction(at offset: Int) -> Instruction? {
        InstructionDecoder.decode(bytes, at: offset)
    }

    /// `mov $15,%rax; syscall`: debuggers and unwinders know a signal frame's return address by
    /// these nine bytes (libgcc's `x86_64_fallback_frame_state`, gdb's amd64-linux-tdep), so they
    /// must stay as they are.
    var isSignalReturn: Bool {
        guard site >= 7 else { return false }
        let head = bytes.loadUnaligned(fromByteOffset: site - 7, as: UInt32.self)
        let tail = bytes.loadUnaligned(fromByteOffset: site - 3, as: UInt32.self)
        return head == 0x0fc0_c748 && tail == 0x0f00_0000 && bytes[site + 1] == 0x05
    }
}
