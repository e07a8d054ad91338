/** What is not as it should be, and what will be done about it. */
export interface Difference<A> {
  /** What was found, for people: "there is no network proxy". */
  found: string;
  /** What will be done, for people: "make the overlay network proxy". */
  plan: string;
  /** The same for `act`. */
  action: A;
}

/** Something that only a person can give or decide. While there is one, nothing of the part is touched. */
export interface Obstacle {
  /** What is missing or in the way. */
  missing: string;
  /** Whose job it is. */
  whose: 'operator' | 'cc-ci';
  /** What to do. */
  todo: string;
}

/** How a part was found. It is right when there are neither differences nor obstacles. */
export interface Inspection<A> {
  differences: Difference<A>[];
  obstacles: Obstacle[];
  /** What was seen, for people; also warnings that nothing need be done about yet. */
  notes: string[];
}

/** A part of the host, as its own file defines it. */
export interface PartDefinition<A> {
  name: string;
  /** Parts that must be right before this one can be looked at. */
  needs: readonly string[];
  /** Looks, and changes nothing. */
  inspect(): Promise<Inspection<A>>;
  /**
   * Does one thing. It may have been done already, by a run that was killed or by somebody else at the same time: then
   * it fails or does nothing, and the inspection after it tells which.
   */
  act(action: A): Promise<void>;
}

/** A difference that can be put right without knowing which part it is of. */
export interface Change {
  found: string;
  plan: string;
  apply(): Promise<void>;
}

/** How a part was found, by whoever does not know what its actions are. */
export interface Look {
  changes: Change[];
  obstacles: Obstacle[];
  notes: string[];
}

/** A part of the host that can be brought to what it should be. */
export interface Part {
  name: string;
  needs: readonly string[];
  look(): Promise<Look>;
}

/** Makes a part of its definition. */
export function definePart<A>({ name, needs, inspect, act }: PartDefinition<A>): Part {
  return {
    name,
    needs,
    async look() {
      const { differences, obstacles, notes } = await inspect();
      const changes = differences.map(({ found, plan, action }) => ({
        found,
        plan,
        apply: () => act(action),
      }));
      return { changes, obstacles, notes };
    },
  };
}
