import { after, before, describe } from 'mocha';
import { commentContract } from './contract-comments.js';
import { feedContract } from './contract-feeds.js';
import { gitContract } from './contract-git.js';
import { orgContract } from './contract-orgs.js';
import { pullContract } from './contract-pulls.js';
import { repositoryContract } from './contract-repositories.js';
import { searchContract } from './contract-search.js';
import { statusContract } from './contract-statuses.js';
import { userContract } from './contract-users.js';
import { type ForgeUnderTest, type Scene, setScene } from './scene.js';
import { createWorkTree, type WorkTree } from './work-tree.js';

export type { ForgeUnderTest } from './scene.js';

/** What the parts of the contract work with, once `before` has run. */
export interface Stage {
  readonly scene: Scene;
  readonly work: WorkTree;
}

/**
 * What cc-ci relies on of a forge: Gitea 1.23 and whatever stands in for it must both pass.
 * @param setup starts a forge, or names one that runs; called once for the whole contract
 */
export function forgeContract(name: string, setup: () => Promise<ForgeUnderTest>): void {
  describe(`forge contract: ${name}`, () => {
    let forge: ForgeUnderTest | undefined;
    let scene: Scene | undefined;
    let work: WorkTree | undefined;

    before(async () => {
      forge = await setup();
      scene = await setScene(forge);
      work = await createWorkTree(forge.url);
    });
    after(async () => {
      await work?.dispose();
      await forge?.dispose();
    });

    const stage: Stage = {
      get scene() {
        return scene ?? missing();
      },
      get work() {
        return work ?? missing();
      },
    };
    userContract(stage);
    orgContract(stage);
    repositoryContract(stage);
    gitContract(stage);
    pullContract(stage);
    commentContract(stage);
    searchContract(stage);
    statusContract(stage);
    feedContract(stage);
  });
}

function missing(): never {
  throw new Error('the stage is set only while tests run');
}
