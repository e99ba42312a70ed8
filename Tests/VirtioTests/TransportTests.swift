import Testing
import Virtio

/// Where devices are said to be: on the command line, and in PCI configuration space.
@Suite struct TransportTests {
    private func announcements(_ line: String) -> [MMIOAnnouncement] {
        var found: [MMIOAnnouncement] = []
        Array(line.utf8).withUnsafeBytes { bytes in
            MMIOAnnouncement.forEach(in: bytes) { found.append($0) }
        }
        return found
    }

    @Test func theCommandLineAnnouncesDevices() {
        let line =
            "console=ttyS0 virtio_mmio.device=512@0xfeb00e00:12 quiet "
            + "virtio_mmio.device=4K@0xd0000000:5:7"
        #expect(
            announcements(line) == [
                MMIOAnnouncement(base: 0xfeb0_0e00, size: 512, interrupt: 12),
                MMIOAnnouncement(base: 0xd000_0000, size: 4096, interrupt: 5),
            ]
        )
    }

    @Test(arguments: [
        "", " ", "virtio_mmio.device=", "virtio_mmio.device=512", "virtio_mmio.device=512@:5",
        "virtio_mmio.device=512@0xfeb00e00", "virtio_mmio.device=512@0xfeb00e00:",
        "virtio_mmio.device=512@0xfeb00e00:5x", "virtio_mmio.device=512@0xfeb00e00:70000",
        "virtio_mmio.device=512@0xffffffffffffffff:5",
        "virtio_mmio.device=512@0x1ffffffffffffffff:5",
        "virtio_mmio.device=5000G@0:5", "virtio_mmio.devices=512@0xfeb00e00:5",
        "a.virtio_mmio.device=512@0xfeb00e00:5",
    ])
    func whatIsNoAnnouncementIsPassedOver(_ line: String) {
        #expect(announcements(line).isEmpty)
    }

    @Test func aModernFunctionIsTaken() throws {
        let function = FakeFunction()
        let transport = try #require(function.transport())
        #expect(transport.deviceType == 3)
        // Memory and bus master.
        #expect(function.space[4] & 6 == 6)
        // Messages on, not masked; the first entry is the message.
        #expect(function.space[0x43] & 0xc0 == 0x80)
        #expect(function.memory.load(TestMemory.base + 0x1000, as: UInt64.self) == 0xfee0_0000)
        #expect(function.memory.load(TestMemory.base + 0x1008, as: UInt64.self) == 0x21)
    }

    /// One byte of the configuration space after the other is anything at all: no access goes beyond
    /// the memory that there is (the fake's `map` and the space itself would trap).
    @Test(arguments: 0..<256)
    func anyByteOfConfigurationSpaceMayBeWrong(_ offset: Int) {
        for value in [0, 1, 0x3c, 0x40, 0x50, 0xf4, 0xfc, 0xff] as [UInt8] {
            let function = FakeFunction()
            function.space[offset] = value
            _ = function.transport()
        }
    }

    @Test func aListOfCapabilitiesThatTurnsBackEnds() {
        let function = FakeFunction()
        function.space[0x41] = 0x40
        #expect(function.transport() == nil)
    }

    @Test func aStructureBeyondItsMemoryIsRefused() {
        let function = FakeFunction()
        // The common configuration's length.
        function.space[0x50 + 14] = 0x40
        #expect(function.transport() == nil)
    }

    @Test func aTransitionalFunctionIsWhatItsSubsystemSays() {
        let function = FakeFunction()
        function.put32(0, 0x1001_1af4)
        function.put32(0x2c, 0x0002_1af4)
        #expect(function.transport()?.deviceType == 2)
    }

    @Test func aDeviceFromBeforeVirtio1IsRefused() {
        let function = FakeFunction()
        function.put32(0, 0x1001_1af4)
        function.space[0x34] = 0
        #expect(function.transport() == nil)
    }
}

/// A virtio console's configuration space, and 64 KiB of memory behind its first register.
private final class FakeFunction: PCIFunction {
    var space = [UInt8](repeating: 0, count: 256)
    let memory = TestMemory(0x1_0000)

    init() {
        put32(0, 0x1043_1af4)
        put32(4, 0x0010_0000)
        put32(0x10, UInt32(truncatingIfNeeded: TestMemory.base) | 4)
        put32(0x14, UInt32(TestMemory.base >> 32))
        space[0x34] = 0x40
        // Message interrupts, with their table at 0x1000.
        put32(0x40, 0x0001_5011)
        put32(0x44, 0x1000)
        putStructure(0x50, next: 0x64, kind: 1, at: 0x2000, size: 56)
        putStructure(0x64, next: 0x80, kind: 2, at: 0x3000, size: 0x1000)
        put32(0x74, 4)
        putStructure(0x80, next: 0, kind: 4, at: 0x4000, size: 0x100)
    }

    private func putStructure(
        _ offset: Int,
        next: UInt8,
        kind: UInt8,
        at place: UInt32,
        size: UInt32
    ) {
        put32(offset, 0x0014_0009 | UInt32(next) << 8 | UInt32(kind) << 24)
        put32(offset + 8, place)
        put32(offset + 12, size)
    }

    func put32(_ offset: Int, _ value: UInt32) {
        for index in 0..<4 {
            space[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }

    func load(_ offset: Int) -> UInt32 {
        precondition(offset % 4 == 0)
        return (0..<4).reduce(0) { $0 | UInt32(space[offset + $1]) << UInt32(8 * $1) }
    }

    func store(_ offset: Int, _ value: UInt32) {
        precondition(offset % 4 == 0)
        // The status register, of which ones clear bits.
        put32(offset, offset == 4 ? load(4) & 0xffff_0000 | value & 0xffff : value)
    }

    func transport() -> PCITransport? {
        PCITransport(self, message: (0xfee0_0000, 0x21)) { address, size in
            guard address >= TestMemory.base, size > 0, size <= self.memory.bytes.count,
                address - TestMemory.base <= UInt64(self.memory.bytes.count - size)
            else { return nil }
            return self.memory.bytes.baseAddress! + Int(address - TestMemory.base)
        }
    }
}
