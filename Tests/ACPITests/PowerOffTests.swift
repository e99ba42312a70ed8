import ACPI
import Testing

/// How a machine is turned off, read from tables that are right, and from some that are not.
@Suite struct PowerOffTests {
    /// Memory from address 4096 on.
    final class Memory: PhysicalMemory {
        static let base: UInt64 = 4096
        private let all = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 16)

        init() { all.initializeMemory(as: UInt8.self, repeating: 0) }
        deinit { all.deallocate() }

        func bytes(_ address: UInt64, _ count: Int) -> UnsafeRawBufferPointer? {
            guard address >= Self.base, address - Self.base <= UInt64(all.count),
                count <= all.count - Int(address - Self.base)
            else { return nil }
            let start = Int(address - Self.base)
            return UnsafeRawBufferPointer(rebasing: all[start..<start + count])
        }

        func write(_ bytes: [UInt8], at address: UInt64) {
            for (index, byte) in bytes.enumerated() { all[Int(address - Self.base) + index] = byte }
        }
    }

    /// Firmware's tables, each at a place of its own.
    struct Firmware {
        var fixed = [UInt8](repeating: 0, count: 276)
        var definition: [UInt8] =
            [0x08] + Array("_S5_".utf8) + [0x12, 6, 4, 0x0a, 5, 0x0a, 7, 0, 0]
        var isWide = true

        init() {
            set(64, UInt32(0x604))
            set(48, UInt32(0xb2))
            fixed[52] = 2
        }

        mutating func set<Number: FixedWidthInteger>(_ place: Int, _ number: Number) {
            withUnsafeBytes(of: number.littleEndian) {
                fixed.replaceSubrange(place..<place + $0.count, with: $0)
            }
        }

        func load(into memory: Memory) {
            let (pointer, root, fixedPlace, definitionPlace) = (4096, 4352, 4608, 5120)
            var fixed = fixed
            withUnsafeBytes(of: UInt64(definitionPlace)) {
                fixed.replaceSubrange(140..<148, with: $0)
                fixed.replaceSubrange(40..<44, with: $0.prefix(4))
            }
            let places = [UInt64(4), UInt64(fixedPlace)]
            let entries = places.flatMap { place in
                withUnsafeBytes(of: place) { Array($0.prefix(isWide ? 8 : 4)) }
            }
            let header = [UInt8](repeating: 0, count: 36)
            memory.write(summed(header + entries, isWide ? "XSDT" : "RSDT"), at: UInt64(root))
            memory.write(summed(fixed, "FACP"), at: UInt64(fixedPlace))
            memory.write(summed(header + definition, "DSDT"), at: UInt64(definitionPlace))
            var start = Array("RSD PTR ".utf8) + [UInt8](repeating: 0, count: 28)
            start[15] = isWide ? 2 : 0
            start[isWide ? 24 : 16] = UInt8(root & 0xff)
            start[isWide ? 25 : 17] = UInt8(root >> 8)
            start[8] = 0 &- start[..<20].reduce(0, &+)
            start[32] = 0 &- start.reduce(0, &+)
            memory.write(start, at: UInt64(pointer))
        }

        private func summed(_ table: [UInt8], _ signature: String) -> [UInt8] {
            var table = table
            table.replaceSubrange(0..<4, with: Array(signature.utf8))
            table[4] = UInt8(table.count & 0xff)
            table[5] = UInt8(table.count >> 8)
            table[9] = 0
            table[9] = 0 &- table.reduce(0, &+)
            return table
        }
    }

    /// Sleep types 5 and 7, with the bit that makes them effective.
    private static let offAs5: UInt16 = 0x3400
    private static let offAs7: UInt16 = 0x3c00

    private func powerOff(_ firmware: Firmware, damage: (Memory) -> Void = { _ in }) -> PowerOff? {
        let memory = Memory()
        firmware.load(into: memory)
        damage(memory)
        return SystemTables(memory, pointer: 4096).flatMap { PowerOff($0) }
    }

    @Test(arguments: [true, false])
    func aPCIsTurnedOffByItsControlRegister(isWide: Bool) throws {
        var firmware = Firmware()
        firmware.isWide = isWide
        let found = try #require(powerOff(firmware))
        let port = PowerOff.Register(isPort: true, address: 0x604)
        #expect(found.way == .control(port, Self.offAs5, nil, Self.offAs7))
        #expect(found.handOver?.port == 0xb2)
        #expect(found.handOver?.value == 2)
    }

    @Test func bothRegistersAreKnownByTheirExtendedPlaces() throws {
        var firmware = Firmware()
        for (place, address) in [(172, UInt64(0x1804)), (184, 0x1904)] {
            firmware.fixed[place] = 1
            firmware.set(place + 4, address)
        }
        let found = try #require(powerOff(firmware))
        let (first, second) = (
            PowerOff.Register(isPort: true, address: 0x1804),
            PowerOff.Register(isPort: true, address: 0x1904)
        )
        #expect(found.way == .control(first, Self.offAs5, second, Self.offAs7))
    }

    @Test func aMachineOfReducedHardwareIsTurnedOffByItsSleepRegister() throws {
        var firmware = Firmware()
        firmware.set(112, UInt32(1 << 20))
        firmware.set(248, UInt64(0xfea0_0200))
        let found = try #require(powerOff(firmware))
        let register = PowerOff.Register(isPort: false, address: 0xfea0_0200)
        #expect(found.way == .sleepControl(register, 0x34))
        #expect(found.handOver == nil)
    }

    @Test func smallNumbersAreWrittenAsOpcodes() throws {
        var firmware = Firmware()
        firmware.definition = Array("scope_S5_\u{12}\u{40}\u{1}\u{2}\0\u{1}".utf8)
        let found = try #require(powerOff(firmware))
        let port = PowerOff.Register(isPort: true, address: 0x604)
        #expect(found.way == .control(port, 0x2000, nil, 0x2400))
    }

    @Test func damagedTablesAreNotFollowed() {
        // The pointer's, the root table's, the fixed table's and the definitions' sums.
        for place in [4096 + 3, 4352 + 20, 4608 + 100, 5120 + 38] as [UInt64] {
            #expect(powerOff(Firmware()) { $0.write([0x5a], at: place) } == nil)
        }
        for package in [
            "", "\u{12}", "\u{12}\u{6}", "\u{12}\u{6}\u{1}\0", "\u{12}\u{6}\u{4}\u{c}\u{1}",
        ] {
            var firmware = Firmware()
            firmware.definition = Array("_S5_\(package)".utf8)
            #expect(powerOff(firmware) == nil)
        }
        var firmware = Firmware()
        firmware.set(64, UInt32.max)
        #expect(powerOff(firmware) == nil)
        let memory = Memory()
        #expect(SystemTables(memory, pointer: 4096) == nil)
        #expect(SystemTables(memory, pointer: .max) == nil)
        #expect(SystemTables<Memory>.findPointer(memory) == nil)
    }
}
