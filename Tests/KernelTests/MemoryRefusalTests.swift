import LinuxABI
import LoaderCore
import Testing

@testable import Kernel

/// What the limits of getrlimit(2) refuse of the calls on memory.
@Suite struct MemoryRefusalTests {
    private static let page = UInt64(pageSize)

    private static func map(
        _ space: AddressSpace,
        _ pages: UInt64,
        at hint: UInt64 = 0,
        _ protection: MappingProtection = [.read, .write],
        _ flags: MappingFlags = [.private, .anonymous]
    ) -> Result<UInt64, Errno> {
        do throws(Errno) {
            return .success(
                try space.map(
                    at: hint,
                    length: pages * page,
                    protection: protection,
                    flags: flags,
                    source: .anonymous,
                    offset: 0
                )
            )
        } catch { return .failure(error) }
    }

    private static func error(_ result: Result<UInt64, Errno>) -> Errno? {
        if case .failure(let error) = result { return error }
        return nil
    }

    private static func error(_ body: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) { try body() } catch { return error }
        return nil
    }

    /// Runs a thread with a limit, in pages.
    private static func run(
        _ resource: ResourceLimits.Resource,
        _ pages: UInt64,
        _ body: @escaping (TaskMachine, AddressSpace) -> Void
    ) {
        _ = TaskMachine.run { machine in
            machine.process.limits[resource] = ResourceLimit(pages * page, .max)
            body(machine, AddressSpace())
        }
    }

    @Test func moreAddressesThanAllowedAreNotMapped() {
        var errors: [Errno?] = []
        Self.run(.addressSpace, 8) { _, space in
            let first = Self.map(space, 6)
            errors = [
                Self.error(first), Self.error(Self.map(space, 3)), Self.error(Self.map(space, 2)),
                Self.error(Self.map(space, 1, at: 0, [])),
            ]
            // What is replaced does not count twice, and what is gone not at all.
            guard case .success(let start) = first else { return }
            let fixed: MappingFlags = [.private, .anonymous, .fixed]
            errors.append(Self.error(Self.map(space, 6, at: start, [.read, .write], fixed)))
            errors.append(
                Self.error { () throws(Errno) in
                    try space.unmap(start, length: Self.page)
                }
            )
            errors.append(Self.error(Self.map(space, 1, at: 0, [])))
        }
        #expect(errors == [nil, .noMemory, nil, .noMemory, nil, nil, nil])
    }

    @Test func theHeapStopsAtTheLimitOfDataAndOfAddresses() {
        for resource in [ResourceLimits.Resource.data, .addressSpace] {
            var breaks: [UInt64] = []
            Self.run(resource, 4) { _, space in
                space.setHeapStart(0x10_0000_0000)
                breaks = [
                    space.setBreak(0x10_0000_0000 + 3 * Self.page),
                    space.setBreak(0x10_0000_0000 + 5 * Self.page),
                    space.setBreak(0x10_0000_0000 + 4 * Self.page),
                ]
            }
            #expect(breaks.map { ($0 - 0x10_0000_0000) / Self.page } == [3, 3, 4])
        }
    }

    @Test func dataIsWhatIsPrivateAndWritable() {
        var errors: [Errno?] = []
        Self.run(.data, 2) { _, space in
            errors = [
                Self.error(Self.map(space, 2)), Self.error(Self.map(space, 1)),
                Self.error(Self.map(space, 8, at: 0, [.read])),
                Self.error(Self.map(space, 8, at: 0, [.read, .write], [.shared, .anonymous])),
            ]
            guard case .success(let start) = Self.map(space, 1, at: 0, [.read]) else { return }
            errors.append(
                Self.error { () throws(Errno) in
                    try space.protect(start, length: Self.page, bits: 3)
                }
            )
        }
        #expect(errors == [nil, .noMemory, nil, nil, .noMemory])
    }

    @Test func lockingStopsAtItsLimit() {
        var errors: [Errno?] = []
        let locked: MappingFlags = [.private, .anonymous, .locked]
        Self.run(.lockedMemory, 2) { machine, space in
            machine.process.addressSpace = space
            errors = [Self.error(Self.map(space, 3, at: 0, [], locked))]
            machine.process.limits[.lockedMemory] = ResourceLimit(0, .max)
            errors.append(Self.error(Self.map(space, 1, at: 0, [], locked)))
        }
        #expect(errors == [.wouldBlock, .notPermitted])
    }
}
